import { mkdirSync } from "node:fs";
import { expect, it } from "vitest";
import { bundle } from "../support/built.js";
import { type End, runToEnd } from "../support/run-to-end.js";
import { temporaryFolder } from "../support/temporary.js";

/** Runs a program with a `store` on the local file system. */
function run(program: string): Promise<End> {
  const folder = temporaryFolder();
  mkdirSync(`${folder}/mdevctl.d/p`, { recursive: true });
  const setup = `
    const { DefinitionStore } = require(${JSON.stringify(bundle(folder, "definitions/index.ts", "cjs"))});
    const store = new DefinitionStore({ root: ${JSON.stringify(`${folder}/mdevctl.d`)} });`;
  return runToEnd(setup, program);
}

it.each(["store.watch()", "store.watch({ interval: 50 })", "store.watch({ source: broken })"])(
  "a process ends by itself when nobody asks for a second event of %s",
  async (watch) => {
    const { status, output, milliseconds } = await run(`
      const broken = { async *hints() { yield { type: "changed" }; throw new Error("broken"); } };
      const watch = ${watch};
      console.log((await watch.next()).value.type);`);
    expect(status).toBe(0);
    expect(output).toMatch(/^(?:snapshot|problem)\ndone\n$/u);
    expect(milliseconds).toBeLessThan(900);
  },
);

it("a process ends by itself when the loop was left, and when the signal was aborted", async () => {
  for (const end of ["break", "controller.abort()"]) {
    const { status, milliseconds } = await run(`
      const controller = new AbortController();
      for await (const event of store.watch({ signal: controller.signal })) { ${end}; }`);
    expect(status).toBe(0);
    expect(milliseconds).toBeLessThan(900);
  }
});

it("a process lives as long as somebody waits for an event", async () => {
  const { status, output } = await run(`
    const watch = store.watch({ interval: 300 });
    await watch.next();
    const next = watch.next();
    setTimeout(() => store.define({ parent: "p", type: "t" }), 700).unref();
    console.log((await next).value.type);`);
  expect([status, output]).toEqual([0, "defined\ndone\n"]);
});
