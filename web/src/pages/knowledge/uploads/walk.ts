/** A file and the folder it lay in, as `a/b`; "" where it came by itself. */
export interface Found {
  file: File;
  folder: string;
}

/** Files that no one means to upload: those that systems leave in folders. */
const isLitter = (name: string) => name.startsWith(".") || name === "Thumbs.db" || name === "desktop.ini";

/**
 * Returns what was dropped, with all files of folders in any depth.
 *
 * The entries are taken before the first wait: afterwards the browser has emptied the DataTransfer.
 */
export async function dropped(transfer: DataTransfer): Promise<Found[]> {
  const entries = [...transfer.items].filter((item) => item.kind === "file").map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  const found: Found[] = [];
  for (const entry of entries) {
    if (entry instanceof File) found.push({ file: entry, folder: "" });
    else if (entry) await walk(entry, "", found);
  }
  return found;
}

/** Returns what was chosen in a dialogue, of files or of a folder. */
export function chosen(files: Iterable<File>): Found[] {
  return [...files]
    .map((file) => ({ file, folder: file.webkitRelativePath.split("/").slice(0, -1).join("/") }))
    .filter(({ file }) => !isLitter(file.name));
}

async function walk(entry: FileSystemEntry, folder: string, found: Found[]): Promise<void> {
  if (isLitter(entry.name)) return;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    found.push({ file, folder });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const inside = folder ? `${folder}/${entry.name}` : entry.name;
  // A reader gives a hundred entries at most, and none at its end.
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return;
    for (const each of some) await walk(each, inside, found);
  }
}
