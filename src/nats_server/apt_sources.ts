/** An archive that the machine's apt trusts: where it is, and the key it is signed with, as apt's own syntax has it. */
export interface AptArchive {
  /** The archive's address, as it stands in the sources. */
  uri: string;
  /** The value of `Signed-By`, word for word; absent where apt's default keys apply. */
  signedBy?: string;
}

/** Reads the archives with a `main` component out of a one-line-style file (`sources.list`, `*.list`). */
export function parseList(text: string): AptArchive[] {
  const archives: AptArchive[] = [];
  for (const line of text.split("\n")) {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)/.exec(line);
    if (!match) continue;
    const [, options = "", uri, suite, components] = match;
    if (!isMain(suite!, components!)) continue;
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1];
    archives.push({ uri: uri!, ...(signedBy !== undefined && { signedBy }) });
  }
  return archives;
}

/** Reads the archives with a `main` component out of a deb822-style file (`*.sources`). */
export function parseDeb822(text: string): AptArchive[] {
  const archives: AptArchive[] = [];
  for (const stanza of text.replaceAll(/^#.*\n?/gm, "").split(/\n[ \t]*\n/)) {
    const fields = parseFields(stanza);
    const words = (name: string) => (fields.get(name) ?? "").split(/\s+/).filter(Boolean);
    if (!words("types").includes("deb") || /^(no|false|0|off|disable|without)$/i.test(fields.get("enabled") ?? "")) {
      continue;
    }
    if (!words("suites").some((suite) => isMain(suite, fields.get("components") ?? ""))) continue;
    const signedBy = fields.get("signed-by");
    for (const uri of words("uris")) archives.push({ uri, ...(signedBy !== undefined && { signedBy }) });
  }
  return archives;
}

/** The fields of a stanza by lower-case name; a continuation line keeps its line break, as an inline key needs it. */
function parseFields(stanza: string): Map<string, string> {
  const fields = new Map<string, string>();
  let current: string | undefined;
  for (const line of stanza.split("\n")) {
    const match = /^([A-Za-z0-9-]+):\s*(.*)$/.exec(line);
    if (match) fields.set(current = match[1]!.toLowerCase(), match[2]!.trimEnd());
    else if (current !== undefined && /^\s/.test(line)) {
      fields.set(current, `${fields.get(current)}\n${line.trimEnd()}`);
    }
  }
  return fields;
}

function isMain(suite: string, components: string): boolean {
  return !/-security$|\/updates$/.test(suite) && components.split(/\s+/).includes("main");
}

/** The archives without repetitions, Debian's own first, CD-ROMs left out. */
export function chooseArchives(archives: AptArchive[]): AptArchive[] {
  const byUri = new Map<string, AptArchive>();
  for (const archive of archives) {
    const uri = archive.uri.replace(/\/+$/, "");
    if (!uri.startsWith("cdrom:") && !byUri.has(uri)) byUri.set(uri, archive);
  }
  const isDebian = (archive: AptArchive) => /debian/i.test(archive.uri);
  return [...byUri.values()].sort((left, right) => Number(isDebian(right)) - Number(isDebian(left)));
}

/** A sources file that names one suite of one archive and nothing else. */
export function formatSource(archive: AptArchive, suite: string): string {
  const signedBy = archive.signedBy === undefined ? "" : `Signed-By: ${archive.signedBy}\n`;
  return `Types: deb\nURIs: ${archive.uri}\nSuites: ${suite}\nComponents: main\n${signedBy}`;
}
