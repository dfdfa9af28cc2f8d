import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type End, runToEnd } from "../support/run-to-end.js";
import { temporaryFolder } from "../support/temporary.js";

const folder = mkdtempSync(join(tmpdir(), "vfio-mdev-"));
const library = join(folder, "library.cjs");
beforeAll(() => {
  buildSync({
    stdin: {
      contents: 'export * from "./src/index.js"; export * from "./src/testing/index.js";',
      resolveDir: process.cwd(),
    },
    outfile: library,
    bundle: true,
    platform: "node",
    format: "cjs",
    logLevel: "error",
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs a program with `simulated`, `host` and, in udevadm's place, one that heeds no SIGTERM. */
async function run(
  program: string,
  kill?: NodeJS.Signals,
): Promise<End & { monitorIsGone(): Promise<void> }> {
  const place = temporaryFolder();
  // One that says nothing more never hears that nobody listens any more.
  const goesOn = kill === undefined ? "exec sleep 30" : "while printf 'x\\n\\n'; do sleep 0.05; done";
  const [udevadm, pid] = [join(place, "udevadm"), join(place, "pid")];
  writeFileSync(udevadm, `#!/bin/sh\ntrap '' TERM\necho $$ > ${pid}\nprintf 'KERNEL\\n\\n'\n${goesOn}\n`);
  chmodSync(udevadm, 0o755);
  const setup = `
    const { MdevHost, SimulatedHost, pollingSource, udevSource } = require(${JSON.stringify(library)});
    const simulated = new SimulatedHost();
    const mdpy = simulated.addMdpy();
    const host = new MdevHost({ fs: simulated.fs });
    const udev = udevSource({ program: ${JSON.stringify(udevadm)} });`;
  const end = await runToEnd(setup, program, (output, child) => {
    if (kill !== undefined && output.includes("kill me")) child.kill(kill);
  });
  return {
    ...end,
    monitorIsGone: () =>
      vi.waitFor(
        () => expect(existsSync(`/proc/${readFileSync(pid, "utf8").trim()}/fd`)).toBe(false),
        10_000,
      ),
  };
}

describe("a process that watches", () => {
  it.each(["udev", "pollingSource()"])(
    "ends by itself when nobody asks for a second event of %s",
    async (source) => {
      const { status, output, milliseconds, monitorIsGone } = await run(`
      const watch = host.watch({ source: ${source} });
      console.log((await watch.next()).value.type);`);
      expect([status, output]).toEqual([0, "snapshot\ndone\n"]);
      expect(milliseconds).toBeLessThan(1_000);
      if (source === "udev") await monitorIsGone();
    },
  );

  it("ends by itself when the loop was left, and when the signal was aborted", async () => {
    for (const end of ["break", "controller.abort()"]) {
      const { status, milliseconds, monitorIsGone } = await run(`
        const controller = new AbortController();
        for await (const event of host.watch({ source: udev, signal: controller.signal })) { ${end}; }`);
      expect(status).toBe(0);
      expect(milliseconds).toBeLessThan(1_000);
      await monitorIsGone();
    }
  });

  it("has nothing open any more when it was aborted and nobody has asked since", async () => {
    const { status, output } = await run(`
      const controller = new AbortController();
      const watch = host.watch({ source: udev, signal: controller.signal });
      await watch.next();
      controller.abort();
      await new Promise((resolve) => setTimeout(resolve, 200));
      console.log(process.getActiveResourcesInfo().filter((name) => /Process|Pipe|Timeout/.test(name)).length - 1);
      `);
    // The one is its own output.
    expect([status, output]).toEqual([0, "0\ndone\n"]);
  });

  it("lives as long as somebody waits for an event", async () => {
    const { status, output } = await run(`
      const watch = host.watch({ source: pollingSource({ interval: 300 }) });
      await watch.next();
      const next = watch.next();
      setTimeout(() => mdpy.create("mdpy-hd"), 100).unref();
      console.log((await next).value.type);`);
    expect([status, output]).toEqual([0, "availability-changed\ndone\n"]);
  });

  it("takes its child along when it exits, and when it is killed", async () => {
    const waiting = "for await (const event of host.watch({ source: udev })) ";
    const exits = await run(`${waiting} setTimeout(() => process.exit(3), 50);`);
    expect(exits.status).toBe(3);
    await exits.monitorIsGone();
    const killed = await run(`${waiting} console.log("kill me");`, "SIGKILL");
    await killed.monitorIsGone(); // when it next has something to say
  });
});
