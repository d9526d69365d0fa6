import { vitePreprocess } from '@sveltejs/vite-plugin-svelte';

/** Events are registered without inline attributes and styles go through the CSSOM, as the content-security policy wants it. */
export default { preprocess: vitePreprocess(), compilerOptions: { runes: true } };
