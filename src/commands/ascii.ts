// Case as the protocol knows it: the 26 letters of ASCII and no others.

/** Unlike toLowerCase, which also makes a k of the Kelvin sign. */
export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
