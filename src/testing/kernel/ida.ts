/** Hands out small numbers, the smallest free one first, as the kernel's `ida` does. */
export class Ida {
  readonly #taken = new Set<number>();

  take(): number {
    let number = 0;
    while (this.#taken.has(number)) number++;
    this.#taken.add(number);
    return number;
  }

  free(number: number): void {
    this.#taken.delete(number);
  }
}
