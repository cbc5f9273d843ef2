const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A length of time to read, rounded down: `12 days`, `47 hours`, `1 hour`, `5 minutes`, `0 seconds`. */
export function spanInWords(ms: number): string {
  if (ms >= 2 * DAY) return count(ms / DAY, 'day');
  if (ms >= HOUR) return count(ms / HOUR, 'hour');
  return ms >= MINUTE ? count(ms / MINUTE, 'minute') : count(ms / SECOND, 'second');
}

function count(number: number, unit: string): string {
  const whole = Math.floor(number);
  return `${whole.toLocaleString('en')} ${unit}${whole === 1 ? '' : 's'}`;
}
