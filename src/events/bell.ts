/** One flag and one who waits for it: however often it is rung before, it is heard once. */
export class Bell {
  #rung = false;
  #waiting: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#waiting?.();
  }

  /** Forgets what was rung. */
  silence(): void {
    this.#rung = false;
  }

  /** Waits until it is rung, or was since it was silenced, but no longer than that. The timer keeps no process alive. */
  heard(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.#rung) {
        resolve();
        return;
      }
      const over = (): void => {
        clearTimeout(timer);
        this.#waiting = undefined;
        resolve();
      };
      const timer = setTimeout(over, milliseconds);
      timer.unref();
      this.#waiting = over;
    });
  }
}
