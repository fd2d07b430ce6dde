// Starts `umqttc lsp` and speaks with it. What scripts mean is known there; here are the settings,
// the commands and what to do when the command is not found.

import * as vscode from 'vscode';
import {
    ExecuteCommandRequest,
    LanguageClient,
    RevealOutputChannelOn,
    State,
    type LanguageClientOptions,
    type ServerOptions,
} from 'vscode-languageclient/node';

/** The languages of the extension. */
const LANGUAGES = ['umqtt', 'umqtt-test'];
/** The server's command that runs tests. */
const RUN_TEST = 'umqtt.runTest';

let client: LanguageClient | undefined;
/** Starts and stops, one behind the other. */
let queue: Promise<void> = Promise.resolve();

export function activate(context: vscode.ExtensionContext): void {
    context.subscriptions.push(
        vscode.commands.registerCommand('umqttc.restart', () => enqueue(restart)),
        vscode.commands.registerCommand('umqttc.runTest', runTest),
        vscode.workspace.onDidChangeConfiguration((event) => {
            // The others are told to the server as it runs.
            if (event.affectsConfiguration('umqttc.path')) {
                void enqueue(restart);
            }
        }),
    );
    void enqueue(restart);
}

export function deactivate(): Promise<void> {
    return enqueue(stop);
}

function enqueue(act: () => Promise<void>): Promise<void> {
    queue = queue.then(act, act);
    return queue;
}

async function stop(): Promise<void> {
    const last = client;
    client = undefined;
    await last?.dispose();
}

async function restart(): Promise<void> {
    await stop();
    const settings = vscode.workspace.getConfiguration('umqttc');
    const command = settings.get<string>('path') || 'umqttc';
    const server: ServerOptions = { command, args: ['lsp'] };
    const options: LanguageClientOptions = {
        documentSelector: LANGUAGES.map((language) => ({ language })),
        initializationOptions: {
            profile: settings.get<string>('profile'),
            pedantic: settings.get<boolean>('pedantic'),
        },
        synchronize: { configurationSection: 'umqttc' },
        revealOutputChannelOn: RevealOutputChannelOn.Never,
    };
    client = new LanguageClient('umqttc', 'umqtt', server, options);
    try {
        await client.start();
    } catch (error) {
        await tellMissing(command, error);
    }
}

async function tellMissing(command: string, error: unknown): Promise<void> {
    const reason = error instanceof Error ? error.message : String(error);
    const settings = 'Open the setting';
    const message = `umqtt: ${command} cannot be started: ${reason}. It comes with \`cargo install --path umqttc\`.`;
    // Not waited for: other commands are not to wait for an answer.
    void vscode.window.showErrorMessage(message, settings).then((chosen) => {
        if (chosen === settings) {
            void vscode.commands.executeCommand('workbench.action.openSettings', 'umqttc.path');
        }
    });
}

/** Runs the tests of the file in the editor, or those beside the script in it. */
async function runTest(): Promise<void> {
    const document = vscode.window.activeTextEditor?.document;
    if (document === undefined || !LANGUAGES.includes(document.languageId)) {
        void vscode.window.showInformationMessage('umqtt: there is no script and no test in the editor.');
        return;
    }
    if (client?.state !== State.Running) {
        void vscode.window.showErrorMessage('umqtt: the server does not run.');
        return;
    }
    // Tests run as they are saved.
    await document.save();
    await client.sendRequest(ExecuteCommandRequest.type, {
        command: RUN_TEST,
        arguments: [client.code2ProtocolConverter.asUri(document.uri)],
    });
}
