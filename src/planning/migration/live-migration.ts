/** What runs on a host, as each says of itself; what is not given is not looked at. */
export interface HostVersions {
  /** Of the kernel: `uname -r`, `6.1.0-18-amd64`. */
  readonly kernel?: string | undefined;
  /** Of QEMU: `8.1.2`. */
  readonly qemu?: string | undefined;
  /** Of libvirt: `8.6.0`. */
  readonly libvirt?: string | undefined;
}

/** What live migration of mediated devices takes. Source: OpenStack Nova, `nova/virt/libvirt/driver.py`. */
const LEAST = { kernel: [5, 18], qemu: [8, 1], libvirt: [8, 6] } as const;
const NAMES = { kernel: "the kernel", qemu: "QEMU", libvirt: "libvirt" } as const;

/** What is too old on a host for live migration, each as a sentence. */
export function tooOld(host: "source" | "target", versions: HostVersions): readonly string[] {
  return (["kernel", "qemu", "libvirt"] as const).flatMap((what) => {
    const given = versions[what];
    if (given === undefined || isSince(given, LEAST[what])) return [];
    return `${NAMES[what]} of the ${host} is ${given}; live migration takes ${LEAST[what].join(".")}`;
  });
}

function isSince(version: string, [major, minor]: readonly [major: number, minor: number]): boolean {
  const [, first, second] = /^(\d{1,9})\.(\d{1,9})(?!\d)/.exec(version) ?? [];
  return Number(first) > major || (Number(first) === major && Number(second) >= minor);
}
