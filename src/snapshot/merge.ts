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
  const merged: T[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const [left, right] = [a[i] as T, b[j] as T];
    const isLeft = compare(left, right) <= 0;
    merged.push(isLeft ? left : right);
    if (isLeft) i++;
    else j++;
  }
  while (i < a.length) merged.push(a[i++] as T);
  while (j < b.length) merged.push(b[j++] as T);
  return merged;
}
