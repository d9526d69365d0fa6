// What did the server refuse, in the language of the screen? Its words by what they say; what is not known here, as it said it.

interface Texts {
  has(id: string): boolean;
  say(id: string): string;
}

/** Ids of texts by the server's own words. */
const KNOWN: Record<string, string> = {
  'there is no registered phone to ring': 'refused-no-phone',
  "your page's sound is not connected": 'refused-no-sound',
  'you have a call or an offer': 'refused-busy',
  'the call is no longer offered to you': 'refused-offer-over',
  'your account is none of the operators': 'refused-unknown-operator',
  'this call is answered at the phone': 'refused-pick-up',
  'you do not talk in this call': 'refused-not-your-talk',
  'whoever you asked for is not free': 'refused-not-free',
  'nobody is known by that name': 'refused-unknown-target',
  'that cannot be done at this moment': 'refused-not-now',
  'that is no phone number': 'refused-no-number',
  'nothing was written of the call': 'refused-nothing-written',
  'the centre is evacuated': 'refused-evacuated',
  'the server is overloaded': 'refused-overloaded',
  "the caller's story cannot be read": 'refused-no-story',
};

export function refusalWords(what: string, mend: string, texts: Texts): string {
  const id = KNOWN[what];
  if (id && texts.has(id)) return texts.say(id);
  return `${what.charAt(0).toUpperCase()}${what.slice(1)}. ${mend}`;
}

/** The server's words for an offer of sound that it did not take. */
export const isOfSound = (what: string, mend: string): boolean =>
  what === "the server has no time for the page's sound" || mend === 'Load the page again; if that does not help, tell an administrator.';

/** Ready was said before the server had the page's sound. */
export const isWithoutSound = (what: string): boolean => what === "your page's sound is not connected";
