import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { MdevHost } from "../../../src/index.js";
import {
  incusCards,
  incusGpuDevice,
  type IncusParent,
  parseIncusResources,
} from "../../../src/interop/incus/index.js";
import { SimulatedHost } from "../../../src/testing/index.js";
import { readFences } from "../../../tools/doc-fences/extract.mjs";
import { DiskTree } from "../../support/disk-tree.js";
import { temporaryFolder } from "../../support/temporary.js";
import { Programs } from "./programs.js";

const GPU = "0000:3b:00.0";
/** What its server needs of this machine's sysfs, beside the cards. */
const OF_THIS_MACHINE = [
  "block",
  "class/block",
  "class/net",
  "devices/system",
  "fs/cgroup",
  "kernel",
  "module",
];
/** Starts the server, with a sysfs and namespaces of its own, runs a command, and ends both. */
const SCRIPT = `set -e
root=$0 sysfs=$1
mount -t proc proc "$root/proc"
mount --rbind "$sysfs" "$root/sys"
for shared in ${OF_THIS_MACHINE.join(" ")}; do mount --rbind "/sys/$shared" "$root/sys/$shared"; done
mount --rbind /dev "$root/dev"
for own in run var/cache var/lib var/log; do mount -t tmpfs own "$root/$own"; done
mkdir "$root"/var/cache/incus "$root"/var/lib/incus "$root"/var/lib/lxcfs "$root"/var/log/incus
export PATH=/usr/sbin:/usr/bin HOME=/root LC_ALL=C
chroot "$root" /usr/libexec/incus/incusd --group root >"$root/var/log/incusd" 2>&1 &
chroot "$root" incus admin waitready --timeout 60 || { cat "$root/var/log/incusd"; exit 125; }
chroot "$root" sh -euc "$2"`;

/** The host of the page, and a card with virtual functions; some devices are there. */
async function hostOfCards(): Promise<{ simulated: SimulatedHost; parents: IncusParent[] }> {
  const simulated = new SimulatedHost();
  simulated.addMtty();
  const gpu = simulated.addNvidiaGpu({ address: GPU });
  for (let count = 0; count < 2; count++) gpu.create("nvidia-46");
  simulated.addNvidiaSriovGpu({ address: "0000:41:00.0", interface: "mdev" });
  const parents: IncusParent[] = [];
  for (const parent of await new MdevHost({ fs: simulated.fs }).parents().getOrThrow()) {
    const types = (await parent.types().getOrThrow()).map((type) => type.read().getOrThrow());
    parents.push({ parent: await parent.read().getOrThrow(), types: await Promise.all(types) });
  }
  return { simulated, parents };
}

describe("Incus of Debian trixie", () => {
  let root: string;
  beforeAll(() => {
    ({ root } = new Programs("trixie", "incus"));
  });

  /** What a server prints that finds these cards in its sysfs. */
  async function asked(
    simulated: SimulatedHost,
    command: string,
  ): Promise<{ output: string; status: number | null }> {
    const { sysfs } = await DiskTree.of(simulated, temporaryFolder());
    for (const shared of OF_THIS_MACHINE) mkdirSync(join(sysfs, shared), { recursive: true });
    const namespaces = ["--mount", "--net", "--pid", "--fork", "--kill-child"];
    const args = [...namespaces, "bash", "-c", SCRIPT, root, sysfs, command];
    const { stdout, stderr, status } = spawnSync("unshare", args, { encoding: "utf8", timeout: 120_000 });
    return { output: status === 0 ? stdout : stdout + stderr, status };
  }

  it("lists the cards as this library does, and what it lists is understood", async () => {
    const { simulated, parents } = await hostOfCards();
    const { output, status } = await asked(simulated, "incus query /1.0/resources");
    expect(status, output).toBe(0);
    const { gpu } = JSON.parse(output) as { gpu: { cards: object[] } };
    expect(gpu.cards).toMatchObject(JSON.parse(JSON.stringify(incusCards(parents))) as object[]);

    const offers = parents
      .filter(({ parent }) => parent.pci !== undefined)
      .flatMap(({ parent, types }) =>
        types.map(({ id, name, description, deviceApi, availableInstances, devices }) => ({
          ...{ parent: parent.id, id, name, description, deviceApi, availableInstances, devices },
        })),
      );
    const inOrder = (told: readonly { parent: string; id: string }[]) =>
      told.toSorted((one, other) => (one.parent + one.id < other.parent + other.id ? -1 : 1));
    expect(inOrder(parseIncusResources(output).getOrThrow())).toEqual(inOrder(offers));
    expect(offers.find(({ id }) => id === "nvidia-46")?.devices).toHaveLength(2);
  });

  it("takes the device that docs/incus.md prints, for a profile", async () => {
    const { simulated, parents } = await hostOfCards();
    const [program] = readFences("docs/incus.md");
    const printed = program?.prints[0] ?? "";
    const command = printed.replace("incus config device add vm", "incus profile device add default");
    expect(command).not.toBe(printed);
    const { output, status } = await asked(simulated, `${command} >&2; incus query /1.0/profiles/default`);
    expect(status, output).toBe(0);
    const { devices } = JSON.parse(output) as { devices: object };
    const types = parents.find(({ parent }) => parent.id === GPU)?.types ?? [];
    const type = types.find(({ id }) => id === "nvidia-156");
    const ours = type && incusGpuDevice({ ...type, parent: GPU }).getOrThrow();
    expect(devices).toEqual({ vgpu: ours });

    const without = await asked(simulated, command.replace(/ mdev=\S+/u, ""));
    expect(without.status).not.toBe(0);
    expect(without.output).toContain('Invalid value for device option "mdev"');
  });
});
