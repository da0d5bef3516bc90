/** The kiosk's address. It is shown instead of all other screens, and its keeper begins with the page. */
export const KIOSK_PATH = "/kiosk";
