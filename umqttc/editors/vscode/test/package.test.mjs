// What is packed: everything that is needed, and nothing else.

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';

import { Server } from './server.mjs';

const here = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');

/** The names in a zip archive, from its central directory. */
async function entries(file) {
    const bytes = await readFile(file);
    const names = [];
    for (let at = bytes.indexOf('PK\u0001\u0002', 0, 'latin1'); at >= 0; ) {
        const [name, extra, comment] = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field));
        names.push(bytes.toString('utf8', at + 46, at + 46 + name));
        at += 46 + name + extra + comment;
        if (bytes.toString('latin1', at, at + 4) !== 'PK\u0001\u0002') {
            break;
        }
    }
    return names;
}

test('the package has what it must', async () => {
    const names = await entries(path.join(here, 'umqtt.vsix'));
    const wanted = [
        '[Content_Types].xml',
        'extension.vsixmanifest',
        'extension/LICENSE.txt',
        'extension/dist/LICENSES.txt',
        'extension/dist/extension.js',
        'extension/language-configuration.json',
        'extension/package.json',
        'extension/readme.md',
        'extension/snippets/umqtt-test.json',
        'extension/snippets/umqtt.json',
        'extension/syntaxes/markdown.tmLanguage.json',
        'extension/syntaxes/umqtt-test.tmLanguage.json',
        'extension/syntaxes/umqtt.tmLanguage.json',
    ];
    assert.deepEqual(names.sort(), wanted.sort());
    const manifest = JSON.parse(await readFile(path.join(here, 'package.json'), 'utf8'));
    const { contributes, main } = manifest;
    const paths = [
        main,
        ...contributes.grammars.map((grammar) => grammar.path),
        ...contributes.snippets.map((snippets) => snippets.path),
        ...contributes.languages.map((language) => language.configuration),
    ];
    for (const path of paths) {
        assert.ok(names.includes(`extension/${path.replace('./', '')}`), path);
    }
});

test('every file of JSON is read, and every command is there', async () => {
    const bundle = await readFile(path.join(here, 'dist/extension.js'), 'utf8');
    const { contributes } = JSON.parse(await readFile(path.join(here, 'package.json'), 'utf8'));
    for (const { command } of contributes.commands) {
        assert.ok(bundle.includes(`"${command}"`), command);
    }
    for (const folder of ['syntaxes', 'snippets']) {
        for (const name of await readdir(path.join(here, folder))) {
            JSON.parse(await readFile(path.join(here, folder, name), 'utf8'));
        }
    }
    const configuration = JSON.parse(await readFile(path.join(here, 'language-configuration.json'), 'utf8'));
    const { increaseIndentPattern, decreaseIndentPattern } = configuration.indentationRules;
    assert.match('on init do % x', new RegExp(increaseIndentPattern));
    assert.doesNotMatch('    println "do"', new RegExp(increaseIndentPattern));
    assert.match('    endif', new RegExp(decreaseIndentPattern));
});

test('the profiles and the command are those of the server', async (t) => {
    const { contributes } = JSON.parse(await readFile(path.join(here, 'package.json'), 'utf8'));
    const source = await readFile(path.join(here, 'src/extension.ts'), 'utf8');
    const server = new Server();
    t.after(() => server.kill());
    const { executeCommandProvider } = await server.start();
    const command = /RUN_TEST = '([^']+)'/.exec(source)[1];
    assert.ok(executeCommandProvider.commands.includes(command));
    for (const profile of contributes.configuration.properties['umqttc.profile'].enum) {
        server.notify('workspace/didChangeConfiguration', { settings: { umqttc: { profile } } });
    }
    // One there is none of is refused with a message.
    server.notify('workspace/didChangeConfiguration', { settings: { umqttc: { profile: 'toaster' } } });
    await server.request('workspace/symbol', { query: '' });
    const told = server.notifications.map((message) => message.params.message);
    assert.equal(told.length, 1, told.join());
    assert.match(told[0], /toaster/);
    assert.equal(await server.stop(), 0);
});
