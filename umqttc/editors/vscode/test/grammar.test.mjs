// The grammars, over the scripts to start from: what the compiler says of each word, the grammar
// says too. (Editors show the server's words where they can; the grammar is what is there before.)

import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import test from 'node:test';

import { repository, Server } from './server.mjs';

const require = createRequire(import.meta.url);
const { Registry, parseRawGrammar, INITIAL } = require('vscode-textmate');
const { loadWASM, OnigScanner, OnigString } = require('vscode-oniguruma');

const syntaxes = path.join(repository, 'umqttc/editors/vscode/syntaxes');

async function grammar(scopeName) {
    const wasm = await readFile(require.resolve('vscode-oniguruma/release/onig.wasm'));
    await loadWASM(wasm).catch((error) => {
        // It is loaded once.
        if (!/already/i.test(String(error))) {
            throw error;
        }
    });
    const registry = new Registry({
        onigLib: Promise.resolve({
            createOnigScanner: (sources) => new OnigScanner(sources),
            createOnigString: (text) => new OnigString(text),
        }),
        loadGrammar: async (scope) => {
            const file = path.join(syntaxes, `${scope.replace('source.', '')}.tmLanguage.json`);
            return parseRawGrammar(await readFile(file, 'utf8'), file);
        },
    });
    return registry.loadGrammar(scopeName);
}

/** The scopes of each line: from, to, names. */
function tokenize(grammar, text) {
    let stack = INITIAL;
    return text.split(/\r?\n/).map((line) => {
        const { tokens, ruleStack } = grammar.tokenizeLine(line, stack);
        stack = ruleStack;
        return tokens;
    });
}

function scopesAt(lines, line, character) {
    const token = lines[line].find((token) => token.startIndex <= character && character < token.endIndex);
    return (token?.scopes ?? []).join(' ');
}

async function files(folder, ending) {
    const names = (await readdir(path.join(repository, folder))).filter((name) => name.endsWith(ending));
    assert.ok(names.length > 10);
    return names.sort().map((name) => path.join(repository, folder, name));
}

/** What a word of each type may be to the grammar. */
const allowed = {
    keyword: /keyword\.(declaration|control)|storage\.modifier/,
    event: /entity\.name\.type\.event/,
    method: /support\.function\.action/,
    function: /support\.function\.umqtt|entity\.name\.function/,
    operator: /keyword\.operator/,
    variable: /variable\./,
    property: /variable\.other\.setting/,
    number: /constant\.numeric|string\.unquoted/,
    comment: /comment\.line/,
};

test('the grammar says of each word what the compiler does', async (t) => {
    const umqtt = await grammar('source.umqtt');
    const server = new Server();
    t.after(() => server.kill());
    const { semanticTokensProvider } = await server.start();
    const types = semanticTokensProvider.legend.tokenTypes;
    let seen = 0;
    for (const file of await files('scripts', '.script')) {
        const text = await readFile(file, 'utf8');
        const lines = tokenize(umqtt, text);
        const textDocument = { uri: `file://${file}`, languageId: 'umqtt', version: 1, text };
        server.notify('textDocument/didOpen', { textDocument });
        const { data } = await server.request('textDocument/semanticTokens/full', { textDocument });
        const source = text.split(/\r?\n/);
        let [line, start] = [0, 0];
        for (let at = 0; at < data.length; at += 5) {
            line += data[at];
            start = data[at] === 0 ? start + data[at + 1] : data[at + 1];
            const type = types[data[at + 3]];
            const word = source[line].slice(start, start + data[at + 2]);
            const scopes = scopesAt(lines, line, start);
            const where = `${path.basename(file)}:${line + 1}:${start + 1} ${word} (${type}): ${scopes}`;
            if (type === 'string' || type === 'macro') {
                // In quotes it is a text for sure; bare it may be a number, or look like a word.
                if (word.startsWith('"')) {
                    assert.match(scopes, /string\.quoted/, where);
                } else {
                    assert.doesNotMatch(scopes, /comment|variable|string\.quoted\.double\.umqtt$/, where);
                }
            } else {
                assert.match(scopes, allowed[type], where);
            }
            seen += 1;
        }
    }
    assert.ok(seen > 2000, `${seen}`);
    assert.equal(await server.stop(), 0);
});

test('every line of a test begins with a word the grammar knows', async () => {
    const tests = await grammar('source.umqtt-test');
    let seen = 0;
    for (const file of await files('scripts', '.test')) {
        const text = await readFile(file, 'utf8');
        const lines = tokenize(tests, text);
        text.split(/\r?\n/).forEach((source, line) => {
            const found = /^\s*(?:[a-z]+: )?\s*(\S+)/.exec(source);
            if (found === null) {
                return;
            }
            const scopes = scopesAt(lines, line, source.indexOf(found[1]));
            const where = `${path.basename(file)}:${line + 1} ${source}: ${scopes}`;
            assert.match(scopes, /keyword|comment|string\.quoted/, where);
            seen += 1;
        });
    }
    assert.ok(seen > 300, `${seen}`);
});

test('a few places that are easily wrong', async () => {
    const umqtt = await grammar('source.umqtt');
    for (const [text, at, wanted] of [
        ['on init do println "a % b" % c', 20, /string\.quoted/],
        ['on init do println "a % b" % c', 28, /comment/],
        ['on init do println "a \\" b" | $x', 25, /string\.quoted/],
        ['on init do println a\\ b', 20, /string\.unquoted/],
        ['on init do println $timestamps', 20, /variable\.other/],
        ['on init do println $timestamp', 20, /variable\.language/],
        ['on init do println text', 20, /string\.unquoted/],
        ['on init do println text (1)', 20, /support\.function\.umqtt/],
        ['config broker_user do-it', 20, /string\.unquoted\.setting/],
        ['on clock sunset -30m mon do println mon', 17, /constant\.numeric\.time/],
        ['on clock sunset -30m mon do println mon', 37, /string\.unquoted/],
        ['sub publish do println 1', 6, /entity\.name\.function/],
        ['on init do call publish', 18, /entity\.name\.function/],
        ['on init do println door/on/doing', 22, /string\.unquoted/],
    ]) {
        const scopes = scopesAt(tokenize(umqtt, text), 0, at);
        assert.match(scopes, wanted, `${text} at ${at}: ${scopes}`);
    }
});
