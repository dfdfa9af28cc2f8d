import childProcess, { type ChildProcess } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type ChangeHint, type ChangeSource, InvalidArgumentError, udevSource } from "../../src/index.js";
import { temporaryFolder } from "../support/temporary.js";

const BANNER = "monitor will print the received events for:\\nKERNEL - the kernel uevent\\n\\n";
const EVENT = "KERNEL[1.5] add /devices/x (mdev)\\nACTION=add\\nDEVPATH=/devices/x\\nSUBSYSTEM=mdev\\n\\n";
const OTHER = EVENT.replaceAll("mdev", "block");

const spawned: ChildProcess[] = [];
beforeEach(() => {
  spawned.length = 0;
  const { spawn } = childProcess;
  vi.spyOn(childProcess, "spawn").mockImplementation((...given: Parameters<typeof spawn>) => {
    const child = spawn(...given);
    spawned.push(child);
    return child;
  });
  syncBuiltinESMExports();
});
afterEach(() => {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
});

/** A program in udevadm's place. */
function program(script: string): string {
  const path = join(temporaryFolder(), "udevadm");
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return path;
}

/** The hints of a source, one after the other, and how it ended. */
function listen(source: ChangeSource): {
  readonly next: () => Promise<ChangeHint>;
  readonly ended: Promise<unknown>;
  readonly controller: AbortController;
} {
  const controller = new AbortController();
  const hints: ChangeHint[] = [];
  const ended = (async () => {
    for await (const hint of source.hints(controller.signal)) hints.push(hint);
    return "ended";
  })().catch((error: unknown) => error);
  const next = (): Promise<ChangeHint> =>
    vi.waitFor(
      () => {
        const hint = hints.shift();
        if (hint === undefined) throw new Error("no hint");
        return hint;
      },
      { timeout: 5_000, interval: 5 },
    );
  return { next, ended, controller };
}

/** All programs are gone. */
async function expectNoneRuns(): Promise<void> {
  await vi.waitFor(() => {
    for (const child of spawned) expect(child.exitCode ?? child.signalCode ?? child.pid).not.toBe(child.pid);
  });
}

const CHANGED = { type: "changed" };

describe("the source that asks udevadm", () => {
  it("asks for the kernel's events, and tells once it listens and of each event that matters", async () => {
    const path = program(`[ "$*" = "monitor --kernel --property" ] || exit 9
printf '${BANNER}'; sleep 0.1; printf '${OTHER}${OTHER}'; sleep 0.1; printf '${EVENT}'; sleep 0.1; printf '${EVENT}'; exec sleep 60`);
    const { next, ended, controller } = listen(udevSource({ program: path }));
    for (let hint = 0; hint < 3; hint++) expect(await next()).toEqual(CHANGED);
    controller.abort();
    expect(await ended).toBe("ended");
    await expectNoneRuns();
  });

  it("takes what it cannot understand for a reason to look", async () => {
    const { next, controller, ended } = listen(
      udevSource({ program: program(`printf 'Unbekannter \\377 Quatsch\\n\\n'; exec sleep 60`) }),
    );
    expect(await next()).toEqual(CHANGED);
    controller.abort();
    await ended;
  });

  it.each([
    [
      "ends a program that heeds no SIGTERM",
      `trap '' TERM INT HUP; printf '${BANNER}'; while :; do sleep 0.05; done`,
    ],
    ["ends although another process holds the pipes", `printf '${BANNER}'; sleep 3 & exec sleep 60`],
    ["ends a program that says nothing", "exec sleep 60"],
  ])("%s", async (_what, script) => {
    const { ended, controller } = listen(udevSource({ program: program(script) }));
    await vi.waitFor(() => expect(spawned.length).toBe(1));
    await new Promise((resolve) => setTimeout(resolve, 100));
    controller.abort();
    expect(await ended).toBe("ended");
    await expectNoneRuns();
  });

  it("starts nothing when its signal is aborted before it could", async () => {
    for (const early of [true, false]) {
      const { ended, controller } = listen(udevSource({ program: program("exec sleep 60") }));
      if (early) controller.abort();
      else queueMicrotask(() => controller.abort());
      expect(await ended).toBe("ended");
      await expectNoneRuns();
    }
  });

  it("ends the program when the loop over its hints is left", async () => {
    const { signal } = new AbortController();
    for await (const hint of udevSource({ program: program(`printf '${BANNER}'; exec sleep 60`) }).hints(
      signal,
    )) {
      expect(hint).toEqual(CHANGED);
      break;
    }
    await expectNoneRuns();
  });

  it("breaks with `unsupported` where there is no such program", async () => {
    const { ended } = listen(udevSource({ program: "/nonexistent/udevadm" }));
    expect(await ended).toMatchObject({
      type: "unsupported",
      missing: "/nonexistent/udevadm",
      errno: "ENOENT",
      message: "cannot listen to the kernel's events: there is no program /nonexistent/udevadm (ENOENT).",
    });
  });

  it.each([
    ["cannot be started", undefined, /does not start \(EACCES\)/u],
    ["ends", `printf '${BANNER}'; exit 0`, /ended with status 0\.$/u],
    [
      "fails",
      "echo 'Failed to   bind:\nno' >&2; exit 7",
      /ended with status 7, and said: Failed to bind: no\.$/u,
    ],
    ["is killed", "kill -KILL $$", /was ended by SIGKILL\.$/u],
    ["closes its output", "exec >&-; exec sleep 60", /closed its output\.$/u],
    ["complains without end", "yes complaint | head -c 1000000 >&2; exit 1", /said: .{300,500}complaint\.$/u],
  ])("breaks with `io` when the program %s", async (_what, script, message) => {
    const path = program(script ?? "");
    if (script === undefined) chmodSync(path, 0o644);
    const { ended } = listen(udevSource({ program: path }));
    expect(await ended).toMatchObject({ type: "io", message: expect.stringMatching(message) as string });
    await expectNoneRuns();
  });

  it("breaks with `io` when no more files can be opened", async () => {
    vi.mocked(childProcess.spawn).mockImplementation(() => {
      const { EventEmitter } = process.getBuiltinModule("node:events");
      const child = Object.assign(new EventEmitter(), { kill: () => false, unref: () => undefined });
      setImmediate(() => child.emit("error", Object.assign(new Error("spawn EMFILE"), { code: "EMFILE" })));
      return child as unknown as ChildProcess;
    });
    const { ended } = listen(udevSource());
    expect(await ended).toMatchObject({ type: "io", errno: "EMFILE" });
  });

  it("refuses a program that is no text", () => {
    for (const path of ["", "a\0b", 5, null])
      expect(() => udevSource({ program: path as string })).toThrow(InvalidArgumentError);
  });
});
