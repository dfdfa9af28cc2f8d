import { type Answer, isLater } from "../file-system/answer.js";

/** What a function makes of each thing, in their order; so many at the same time. */
export async function inLanes<T, R>(
  things: readonly T[],
  lanes: number,
  make: (thing: T, at: number) => Answer<R>,
): Promise<R[]> {
  const made = new Array<R>(things.length);
  let next = 0;
  const work = async (): Promise<void> => {
    for (let at = next++; at < things.length; at = next++) {
      const answer = make(things[at] as T, at);
      made[at] = isLater(answer) ? await answer : answer;
    }
  };
  if (lanes === 1) await work();
  else await Promise.all(Array.from({ length: Math.min(lanes, things.length) }, work));
  return made;
}
