// Before the first paint: the theme and the language that were chosen in this browser (src/ui/theme, src/ui/locale), and
// whether anybody was ever here. Who comes for the first time reads the page's own words while the app is fetched.
const { dataset } = document.documentElement;
let kept = {};
try {
	kept = localStorage;
} catch {
	// Nothing is kept here: as the system.
}
const theme = kept["nabostrom/theme"];
if (theme === "light" || theme === "dark") dataset.theme = theme;
const languages = [kept["nabostrom/language"] ?? [], navigator.languages].flat();
if (/^en/i.test(languages.find((each) => /^(nb|nn|no|en)\b/i.test(each)))) document.documentElement.lang = "en";
if (kept["nabostrom/entered"] === undefined && /^(#\/?)?$/.test(location.hash)) dataset.first = "";
