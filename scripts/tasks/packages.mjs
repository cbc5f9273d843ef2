/** Not written yet. */
export function run() {
  console.error('This task is not written yet.');
  return 1;
}
