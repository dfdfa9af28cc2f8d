/** One list of several that are in order. `pause` is called between steps that are short. */
export async function mergeInOrder<T>(
  lists: readonly (readonly T[])[],
  compare: (a: T, b: T) => number,
  pause: () => Promise<void> | undefined,
): Promise<readonly T[]> {
  let rest = lists;
  while (rest.length > 1) {
    const merged: (readonly T[])[] = [];
    for (let at = 0; at < rest.length; at += 2) {
      merged.push(mergeTwo(rest[at] ?? [], rest[at + 1] ?? [], compare));
      await pause();
    }
    rest = merged;
  }
  return rest[0] ?? [];
}

function mergeTwo<T>(a: readonly T[], b: readonly T[], compare: (a: T, b: T) => number): readonly T[] {
  if (b.length === 0) return a;
  const merged = new Array<T>(a.length + b.length); // of the right size: it is kept
  let [i, j] = [0, 0];
  for (let at = 0; at < merged.length; at++) {
    const isLeft = j === b.length || (i < a.length && compare(a[i] as T, b[j] as T) <= 0);
    merged[at] = (isLeft ? a[i++] : b[j++]) as T;
  }
  return merged;
}
