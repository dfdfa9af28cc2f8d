/** The properties of one event of the kernel: `ACTION`, `DEVPATH`, `SUBSYSTEM` and more. */
export type Uevent = ReadonlyMap<string, string>;

// The kernel's own limit of one event's properties is 2 KiB.
const LONGEST_RECORD = 65_536;

/**
 * Reads what `udevadm monitor --property` prints: records of `KEY=value` lines, with a line above and an empty one below. Text
 * may come in any pieces. What is no record is one without properties, so that whoever asks can tell it apart.
 */
export class UeventReader {
  #rest = "";

  /** The records that this piece of text completes. */
  read(piece: string): Uevent[] {
    const records = (this.#rest + piece).split("\n\n");
    this.#rest = records.pop() ?? "";
    if (this.#rest.length > LONGEST_RECORD) {
      records.push("");
      this.#rest = "";
    }
    return records.map(propertiesOf);
  }
}

function propertiesOf(record: string): Uevent {
  const properties = new Map<string, string>();
  for (const line of record.split("\n")) {
    const equals = line.indexOf("=");
    if (equals > 0) properties.set(line.slice(0, equals), line.slice(equals + 1));
  }
  return properties;
}

const OURS = new Set(["mdev", "vfio", "vfio-dev"]);

/**
 * Whether an event can concern mediated devices: those of the mdev bus and of VFIO nodes; of a parent, which says
 * `MDEV_STATE`; of a PCI function, which can be one of NVIDIA's; and what could not be read.
 */
export function concernsMdev(event: Uevent): boolean {
  const subsystem = event.get("SUBSYSTEM");
  if (subsystem === undefined || OURS.has(subsystem)) return true;
  return event.has("MDEV_STATE") || subsystem === "pci";
}
