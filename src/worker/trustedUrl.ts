/** What TypeScript does not know yet of Trusted Types (W3C, `TrustedTypePolicyFactory`); not every browser has them. */
interface TrustedTypesPlatform {
	trustedTypes?: {
		createPolicy(name: string, rules: { createScriptURL: () => string }): { createScriptURL(given: string): string };
	};
}

/**
 * A worker's address. The policies of page and worker (`signaling/headers.ts`) take no plain text for one: it can be had
 * under this name, which they know, and no other address can. To be called once for a name.
 */
export function createTrustedUrl(policyName: string, url: string): string {
	const { trustedTypes } = globalThis as TrustedTypesPlatform;
	return trustedTypes?.createPolicy(policyName, { createScriptURL: () => url }).createScriptURL(url) ?? url;
}
