/** How many rounds of each of the 5 kinds: where everything is tested, so many that there are 10,000 cases in all. */
export const DEFAULT_ROUNDS: number = process.env["CI"] === undefined ? 40 : 1_400;
/** How many cases there have to be then. */
export const LEAST_CASES: number = process.env["CI"] === undefined ? 0 : 10_000;
