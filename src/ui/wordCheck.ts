/** Two places of a list of words, in order: whoever has written the words down can say which stand there. */
export function chooseTwo(count: number, random: () => number = Math.random): [number, number] {
	const first = Math.floor(random() * count);
	const second = (first + 1 + Math.floor(random() * (count - 1))) % count;
	return first < second ? [first, second] : [second, first];
}
