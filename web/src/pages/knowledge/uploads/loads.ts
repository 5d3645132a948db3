import { GONE, refuse, type Sent } from "./sent";

const LARGE_BYTES = 16 << 20;
const TOGETHER_BYTES = 16 << 20;
const TOGETHER_FILES = 25;

/** Whether a file goes in pieces, each of which may be sent again by itself. */
export const isLarge = ({ file }: Sent) => file.size > LARGE_BYTES;

/** Takes from the files that wait what goes next: a large one, or small ones together; none where none waits. */
export function together(files: readonly Sent[]): Sent[] {
  const waiting = files.filter((file) => file.state === "waiting");
  if (waiting[0] && isLarge(waiting[0])) return [waiting[0]];
  const taken: Sent[] = [];
  let bytes = 0;
  for (const each of waiting) {
    if (isLarge(each) || taken.length === TOGETHER_FILES || bytes + each.file.size > TOGETHER_BYTES) break;
    taken.push(each);
    bytes += each.file.size;
  }
  return taken;
}

/** Returns the files that can still be read; one that was moved, changed or deleted meanwhile is refused. */
export async function readable(files: readonly Sent[]): Promise<Sent[]> {
  const found = await Promise.all(files.map((each) => each.file.slice(0, 1).arrayBuffer().then(() => true, () => false)));
  for (const [index, isThere] of found.entries()) if (!isThere) refuse(files[index]!, GONE, "");
  return files.filter((_, index) => found[index]);
}
