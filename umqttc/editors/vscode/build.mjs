// Bundles the extension, with the licences of what goes into it.

import { build } from 'esbuild';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const repository = path.join(here, '../../..');

const { metafile } = await build({
    absWorkingDir: here,
    entryPoints: ['src/extension.ts'],
    outfile: 'dist/extension.js',
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    external: ['vscode'],
    legalComments: 'none',
    metafile: true,
});

/** The packages whose files are in the bundle. */
const packages = new Set();
for (const input of Object.keys(metafile.inputs)) {
    const found = input.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//);
    if (found) {
        packages.add(found[1]);
    }
}
const texts = [];
for (const licence of ['LICENSE-MIT', 'LICENSE-APACHE']) {
    texts.push(`umqtt: ${licence}\n\n${await readFile(path.join(repository, licence), 'utf8')}`);
}
for (const name of [...packages].sort()) {
    const folder = path.join(here, 'node_modules', name);
    const { version, license } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
    const file = (await readdir(folder)).find((file) => /^licen[cs]e/i.test(file));
    if (file === undefined) {
        throw new Error(`${name} has no licence beside it`);
    }
    texts.push(`${name} ${version}: ${license}\n\n${await readFile(path.join(folder, file), 'utf8')}`);
}
await writeFile(path.join(here, 'dist/LICENSES.txt'), texts.join(`\n${'-'.repeat(78)}\n\n`));
console.log(`dist/extension.js, with ${[...packages].join(', ')}`);
