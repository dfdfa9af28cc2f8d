import type { AttributeOwner } from "../attributes/access.js";
import type { HostContext } from "../context.js";
import { GoneFailure } from "../file-system/failure.js";
import type { OperationHost } from "../file-system/operation.js";
import { baseName } from "../paths.js";
import type { FoundDevice, FoundParent } from "./layout.js";

/** A parent, as the owner of attributes. */
export function parentOwner(host: OperationHost, { path }: FoundParent): AttributeOwner {
  return { host, path, label: baseName(path), outlived: false, confirm: (io) => io.lstat(path) };
}

/** A type, as the owner of attributes. */
export function typeOwner(
  host: OperationHost,
  { path: parent, layout }: FoundParent,
  id: string,
): AttributeOwner {
  const path = layout.typePath(parent, id);
  return {
    host,
    path,
    label: `${id} on ${baseName(parent)}`,
    outlived: false,
    confirm: async (io) => {
      if (!(await layout.hasType(io, parent, id))) throw new GoneFailure(path ?? parent);
    },
  };
}

/** A device, as the owner of attributes. */
export function deviceOwner(
  host: OperationHost & Pick<HostContext, "device">,
  device: FoundDevice,
): AttributeOwner {
  const { id, path, parent } = device;
  return {
    host,
    path,
    label: id,
    outlived: device.typeId !== undefined,
    confirm: async (io) => {
      if (!(await parent.layout.exists(io, device))) throw new GoneFailure(path);
    },
    device: () => host.device(device),
  };
}
