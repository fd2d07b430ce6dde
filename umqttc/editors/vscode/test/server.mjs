// A client of `umqttc lsp`, as small as the tests need it.

import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the repository. */
export const repository = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../../..');

/** Starts the server: the command in `UMQTTC`, or the one that was built last. */
export class Server {
    #child;
    #buffer = Buffer.alloc(0);
    #waiting = new Map();
    #next = 0;
    /** What was told without being asked for. */
    notifications = [];

    constructor() {
        const command = process.env.UMQTTC ?? path.join(repository, 'target/debug/umqttc');
        this.#child = spawn(command, ['lsp'], { stdio: ['pipe', 'pipe', 'inherit'] });
        this.#child.on('error', (error) => this.#fail(error));
        this.#child.on('exit', (code) => this.#fail(new Error(`the server has ended: ${code}`)));
        this.#child.stdout.on('data', (data) => this.#take(data));
    }

    #fail(error) {
        for (const { reject } of this.#waiting.values()) {
            reject(error);
        }
    }

    #take(data) {
        this.#buffer = Buffer.concat([this.#buffer, data]);
        for (;;) {
            const end = this.#buffer.indexOf('\r\n\r\n');
            if (end < 0) {
                return;
            }
            const length = Number(/Content-Length: (\d+)/.exec(this.#buffer.toString('latin1', 0, end))[1]);
            if (this.#buffer.length < end + 4 + length) {
                return;
            }
            const message = JSON.parse(this.#buffer.toString('utf8', end + 4, end + 4 + length));
            this.#buffer = this.#buffer.subarray(end + 4 + length);
            if (message.method !== undefined) {
                this.notifications.push(message);
            } else {
                this.#waiting.get(message.id)?.resolve(message);
            }
        }
    }

    #send(message) {
        const text = JSON.stringify({ jsonrpc: '2.0', ...message });
        this.#child.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    }

    notify(method, params) {
        this.#send({ method, params });
    }

    async request(method, params) {
        const id = ++this.#next;
        const answer = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
        this.#send({ id, method, params });
        const { result, error } = await answer;
        if (error) {
            throw new Error(`${method}: ${error.message}`);
        }
        return result;
    }

    async start() {
        const { capabilities } = await this.request('initialize', { processId: null, capabilities: {} });
        this.notify('initialized', {});
        return capabilities;
    }

    /** Ends it at once, as after a test that failed. */
    kill() {
        this.#child.kill();
    }

    async stop() {
        await this.request('shutdown', null);
        const ended = new Promise((resolve) => this.#child.on('exit', resolve));
        this.notify('exit', null);
        return ended;
    }
}
