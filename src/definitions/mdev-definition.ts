import {
  type ConfigText,
  type DefinedAttribute,
  type DefinitionConfig,
  formatConfig,
  type StartMode,
} from "./config.js";
import type { Json } from "./json.js";

/** Where a definition was found, and what it says. */
export interface FoundDefinition extends ConfigText {
  readonly uuid: string;
  readonly parent: string;
  readonly path: string;
}

/**
 * One definition as it was stored when it was looked at: `/etc/mdevctl.d/<parent>/<uuid>`. Frozen data: it does not follow
 * the file, and it is no device. {@link DefinedHost} starts what it defines. Source: mdevctl, its man page and the files of
 * 1.2.0 and 1.4.0.
 */
export class MdevDefinition implements DefinitionConfig {
  /** The UUID of its device, as the kernel writes it, however the file's name spells it. */
  readonly uuid: string;
  /** The id of its parent, which need not exist: the folder that the file is in. */
  readonly parent: string;
  /** The id of its type, which need not exist: `mdev_type`. */
  readonly type: string;
  /** When it is started: `start`. What is not `"auto"` there is `manual`. */
  readonly start: StartMode;
  /** What is written to the device's attributes when it is started, in this order: `attrs`. */
  readonly attributes: readonly DefinedAttribute[];
  /** Its file: `/etc/mdevctl.d/<parent>/<uuid>`. Its name may spell the UUID in another way. */
  readonly path: string;
  /** The names of what else the file holds, which mdevctl does not know; it stays there when this library rewrites the file. */
  readonly otherKeys: readonly string[];
  /** @internal */
  readonly others: ReadonlyMap<string, Json>;

  /** @internal */
  constructor({ uuid, parent, type, start, attributes, path, others }: FoundDefinition) {
    this.uuid = uuid;
    this.parent = parent;
    this.type = type;
    this.start = start;
    this.attributes = attributes;
    this.path = path;
    this.otherKeys = Object.freeze([...others.keys()]);
    this.others = others;
    Object.defineProperty(this, "others", { enumerable: false });
    Object.freeze(this);
  }

  /**
   * What mdevctl knows of it as JSON, byte for byte as `mdevctl list --defined --uuid … --dumpjson` prints it: fit for
   * `mdevctl define --jsonfile`.
   */
  get json(): string {
    return formatConfig(this);
  }
}
