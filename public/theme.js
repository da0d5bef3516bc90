// Before the first paint: the theme that was chosen in this browser (src/ui/theme.svelte.ts).
try {
	const theme = localStorage.getItem("nabostrom/theme");
	if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
	// Nothing is kept here: as the system.
}
