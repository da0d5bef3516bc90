/**
 * A household's commands where its key is locked: the password is asked for, and the command is given once more. A command
 * that was refused for the lock has done nothing.
 */
import type { NodeClient } from "./nodeClient.svelte.js";

/** `askPassword`: true once the key is open; false where the person turned back. */
export function withUnlocking(client: () => NodeClient, askPassword: () => Promise<boolean>): NodeClient {
	return {
		get view() {
			return client().view;
		},
		get viewAtMs() {
			return client().viewAtMs;
		},
		get faults() {
			return client().faults;
		},
		async command(command) {
			const result = await client().command(command);
			if (result.ok || result.error.code !== "locked") return result;
			return (await askPassword()) ? client().command(command) : result;
		},
		dismissFault: (code) => client().dismissFault(code),
		onChange: (listener) => client().onChange(listener),
		moved: (code) => client().moved(code),
		stop: (code) => client().stop(code),
	};
}
