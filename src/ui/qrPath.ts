/** A QR code as one SVG path: a unit square for each dark module, with the quiet zone of four modules around it. */
import encodeQR from "qr";

export function qrPath(text: string): { size: number; path: string } {
	const rows = encodeQR(text, "raw", { border: 4, ecc: "medium" });
	let path = "";
	rows.forEach((row, y) => {
		row.forEach((dark, x) => {
			if (dark) path += `M${x} ${y}h1v1h-1z`;
		});
	});
	return { size: rows.length, path };
}
