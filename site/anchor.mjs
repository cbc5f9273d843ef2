/**
 * The anchor of a heading, as Git hosts make it, so that a link to a heading holds in both places.
 * @param {string} title
 */
export function anchor(title) {
  const words = title
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '');
  return words.replaceAll(' ', '-');
}
