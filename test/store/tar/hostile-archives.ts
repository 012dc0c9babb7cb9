import { gzipSync } from 'node:zlib'
import { archive, extended, file, folder, gnuLongName, hardLink, header, record, symlink } from './build-tar.js'

/** Archives of a folder `d` that lead somewhere else, or could be taken for something else, and what is said about them. */
export const hostileArchives: readonly (readonly [what: string, bytes: Uint8Array, message: RegExp])[] = [
  // Names.
  ['a name with ..', archive(file('d/../evil')), /entry 1 "d\/\.\.\/evil" of layer escapes the destination/],
  ['a name that starts with ..', archive(file('../evil')), /escapes the destination/],
  ['an absolute name', archive(file('/tmp/gantry-evil')), /escapes the destination/],
  ['an absolute name with many slashes', archive(file('////d/x')), /escapes the destination/],
  ['an absolute name behind the prefix', archive(file('d//tmp/x')), /escapes the destination/],
  ['a name beside the folder', archive(file('d-sib/x')), /escapes the destination: it is not in "d"/],
  ['a long name that escapes', archive(gnuLongName('d/../../evil'), file('d/x')), /escapes the destination/],
  [
    'an extended name that escapes',
    archive(extended(record('path', '../evil')), file('d/x')),
    /escapes the destination/,
  ],
  ['a prefix that escapes', archive(file('x', 'x', { prefix: 'd/../..' })), /escapes the destination/],
  ['a drive', archive(file('d/C:\\evil')), /escapes the destination/],
  ['a drive without a slash', archive(file('d/c:evil')), /escapes the destination/],
  ['a backslash', archive(file('d/..\\evil')), /escapes the destination/],
  ['an empty part', archive(file('d/a//b')), /has an empty part/],
  ['a dot as a part', archive(file('d/a/./b')), /has the part "\."/],
  ['a control character', archive(file('d/a\u0007b')), /control characters/],
  ['an escape sequence', archive(file('d/\u001b[2J')), /\\u\{1b\}\[2J/],
  ['a colon', archive(file('d/ab:c')), /has a colon/],
  ['a name that is reserved on Windows', archive(file('d/nul.txt')), /reserved on Windows/],
  ['a trailing dot', archive(file('d/a.')), /ends with a dot or a space/],
  ['a trailing space', archive(file('d/a /b')), /ends with a dot or a space/],
  [
    'a part of 256 bytes',
    archive(extended(record('path', `d/${'n'.repeat(256)}`)), file('x')),
    /longer than 255 bytes/,
  ],
  [
    'a path of 5000 bytes',
    archive(extended(record('path', `d/${'nn/'.repeat(1700)}x`)), file('x')),
    /longer than 4096 bytes/,
  ],
  [
    'a path of 300 parts',
    archive(extended(record('path', `d/${'n/'.repeat(300)}x`)), file('x')),
    /more than 256 parts/,
  ],
  ['a file with the name of the folder itself', archive(file('d')), /has the name of the folder itself/],
  [
    'a link with the name of the folder itself',
    archive(symlink('d', 'elsewhere')),
    /has the name of the folder itself/,
  ],

  // Names that come twice.
  ['a file twice', archive(file('d/a'), file('d/a')), /entry 2 "d\/a" of layer comes a second time/],
  ['a folder twice', archive(folder('d/a'), folder('d/a/')), /comes a second time/],
  ['the folder itself twice', archive(folder('d'), folder('d/')), /comes a second time/],
  ['a link over a file', archive(file('d/a'), symlink('d/a', 'b')), /comes a second time/],
  ['a link over a folder', archive(folder('d/a'), symlink('d/a', '/tmp')), /escapes the destination/],
  ['a link over a folder, leading inside', archive(folder('d/a'), symlink('d/a', 'b')), /comes a second time/],
  ['a file over a folder', archive(file('d/a/b'), file('d/a')), /comes a second time/],
  ['a folder over a file', archive(file('d/a'), folder('d/a')), /comes a second time/],
  ['a dotted name over a plain one', archive(file('d/a'), file('./d/a')), /comes a second time/],
  ['another case', archive(file('d/FOO/a'), symlink('d/foo', 'b')), /some systems cannot tell from "FOO"/],
  ['another case in a parent', archive(folder('d/FOO'), file('d/foo/a')), /some systems cannot tell from "FOO"/],
  ['another normalisation', archive(file('d/\u00e9'), file('d/e\u0301')), /some systems cannot tell/],
  ['sharp s', archive(symlink('d/stra\u00dfe', 'x'), file('d/STRASSE/a')), /some systems cannot tell/],
  ['the Kelvin sign', archive(file('d/k'), file('d/\u212a')), /some systems cannot tell/],
  ['a character that is left out', archive(file('d/.git'), file('d/.g\u200cit')), /some systems cannot tell/],

  // Symbolic links.
  [
    'an absolute link',
    archive(symlink('d/a', '/etc/passwd')),
    /escapes the destination: it links to "\/etc\/passwd", which is absolute/,
  ],
  [
    'a link and a file through it',
    archive(symlink('d/out', '../elsewhere'), file('d/out/f')),
    /escapes the destination/,
  ],
  [
    'a link inside and a file through it',
    archive(folder('d/in'), symlink('d/out', 'in'), file('d/out/f')),
    /passes through "out", which is a link/,
  ],
  [
    'a link inside and a folder through it',
    archive(folder('d/in'), symlink('d/out', 'in'), folder('d/out/f')),
    /passes through "out"/,
  ],
  [
    'a link inside and a link through it',
    archive(folder('d/in'), symlink('d/out', 'in'), symlink('d/out/f', 'x')),
    /passes through "out"/,
  ],
  [
    'a link to a file and a file of its name',
    archive(symlink('d/f', '../elsewhere/victim'), file('d/f', 'evil')),
    /comes a second time/,
  ],
  [
    'a link to the parent',
    archive(symlink('d/up', '..')),
    /link "up" of layer escapes the destination: it leads to "\.\."/,
  ],
  [
    'a link beside the folder with the same start',
    archive(symlink('d/s', '../out-sib'), file('d/s/x')),
    /escapes the destination/,
  ],
  [
    'a link that leaves by going around',
    archive(folder('d/a'), symlink('d/a/l', '../../out-sib/victim')),
    /escapes the destination/,
  ],
  [
    'a chain of links that leaves',
    archive(folder('d/a/b/c'), symlink('d/a/b/c/up', '../..'), symlink('d/a/b/escape', 'c/up/../..')),
    /link "a\/b\/escape" of layer escapes the destination/,
  ],
  [
    'a chain in the other order',
    archive(symlink('d/a/b/escape', 'c/up/../..'), folder('d/a/b/c'), symlink('d/a/b/c/up', '../..')),
    /link "a\/b\/escape" of layer escapes/,
  ],
  [
    'a chain through another case',
    archive(folder('d/a/b/c'), symlink('d/a/b/c/up', '../..'), symlink('d/a/b/escape', 'C/UP/../..')),
    /escapes the destination/,
  ],
  ['a link with a backslash', archive(symlink('d/a', '..\\..\\evil')), /has a backslash/],
  ['a link to a drive', archive(symlink('d/a', 'C:/evil')), /starts with a drive/],
  ['a link to nothing', archive(header({ name: 'd/a', type: '2' })), /which is empty/],
  ['a link to itself', archive(symlink('d/a', 'a')), /escapes the destination/],
  ['links in a circle', archive(symlink('d/a', 'b'), symlink('d/b', 'a')), /escapes the destination/],

  // Hard links.
  ['a hard link to a file outside', archive(hardLink('d/a', '../elsewhere/victim')), /escapes the destination/],
  ['a hard link to an absolute name', archive(hardLink('d/a', '/etc/passwd')), /escapes the destination/],
  ['a hard link relative to the working folder', archive(hardLink('d/a', 'victim')), /escapes the destination/],
  ['a hard link with .. behind the prefix', archive(hardLink('d/a', 'd/../../victim')), /escapes the destination/],
  ['a hard link to what comes later', archive(hardLink('d/a', 'd/b'), file('d/b')), /no file of the same archive/],
  ['a hard link to a link', archive(symlink('d/l', 'f'), hardLink('d/a', 'd/l')), /no file of the same archive/],
  ['a hard link to a folder', archive(folder('d/f'), hardLink('d/a', 'd/f')), /no file of the same archive/],
  ['a hard link to the folder itself', archive(hardLink('d/a', 'd')), /no file of the same archive/],
  [
    'a hard link through a link',
    archive(symlink('d/l', '.'), file('d/f'), hardLink('d/a', 'd/l/f')),
    /no file of the same archive/,
  ],
  ['a hard link by another case', archive(file('d/f'), hardLink('d/a', 'd/F')), /no file of the same archive/],
  [
    'a hard link through a chain',
    archive(
      folder('d/a/b/c'),
      symlink('d/a/b/c/up', '../..'),
      symlink('d/a/b/escape', 'c/up/../..'),
      hardLink('d/exfil', 'd/a/b/escape/../victim'),
    ),
    /escapes the destination|no file of the same archive/,
  ],

  // What is not unpacked at all.
  ['a character device', archive(header({ name: 'd/a', type: '3' })), /is a character device, which is not unpacked/],
  ['a block device', archive(header({ name: 'd/a', type: '4' })), /is a block device/],
  ['a fifo', archive(header({ name: 'd/a', type: '6' })), /is a fifo/],
  ['an unknown type', archive(header({ name: 'd/a', type: 'V' })), /unknown type "V"/],

  // Structure.
  ['an entry after the end', Buffer.concat([archive(file('d/a')), file('d/b')]), /data after end of archive/],
  ['a NUL in an extended name', archive(extended(record('path', 'd/a\0b')), file('d/x')), /no valid "path"/],
  ['a numeric path', archive(extended(record('path', '1')), file('d/x')), /escapes the destination/],
  ['an archive without its end', file('d/a'), /not a complete tar archive/],
  ['garbage', Buffer.from('this is no archive'.repeat(100)), /checksum/],
  ['nothing', Buffer.alloc(0), /not a complete tar archive/],
  ['gzip that is cut off', gzipSync(archive(file('d/a'))).subarray(0, 60), /not valid gzip/],
  [
    'gzip with something after it',
    Buffer.concat([gzipSync(archive(file('d/a'))), Buffer.alloc(512)]),
    /data after the end/,
  ],
]
