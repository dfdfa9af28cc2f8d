/** What is there at once where the file system can do that, or else later. Waiting for each costs more than it does. */
export type Answer<T> = T | Promise<T>;

/** Whether an answer is not there yet. */
export function isLater<T>(answer: Answer<T>): answer is Promise<T> {
  return answer instanceof Promise;
}

/** Does something with an answer: at once where it is there. */
export function when<T, R>(answer: Answer<T>, use: (value: T) => Answer<R>): Answer<R> {
  return isLater(answer) ? answer.then(use) : use(answer);
}
