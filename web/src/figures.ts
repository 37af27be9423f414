const plain = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const precise = new Intl.NumberFormat('en', { maximumSignificantDigits: 2 });

/** Formats a number with two significant digits, or without a fraction from 10 on. */
function figure(value: number): string {
  return value >= 10 ? plain.format(value) : precise.format(value);
}

/** Formats a duration in ms or s. */
export function duration(ms: number): string {
  return ms < 999.5 ? `${figure(ms)} ms` : `${figure(ms / 1000)} s`;
}

/** Formats a number of bytes in B, kB or MB. */
export function size(bytes: number): string {
  if (bytes < 1000) {
    return `${plain.format(bytes)} B`;
  }
  return bytes < 999_500 ? `${figure(bytes / 1000)} kB` : `${figure(bytes / 1_000_000)} MB`;
}

/** Formats a count with a noun: "1 call", "2 calls". */
export function count(n: number, what: string): string {
  return `${plain.format(n)} ${what}${n === 1 ? '' : 's'}`;
}
