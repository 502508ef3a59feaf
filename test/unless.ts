/** Skips what cannot be tried here, and says why: `beforeEach(unless(tcpdump, 'tcpdump is not installed'))`. */
export function unless(possible: boolean, reason: string): (context: { skip: (note: string) => void }) => void {
  return ({ skip }) => {
    if (!possible) skip(reason);
  };
}

export const NO_COLLECTION = 'the capture collection is not here (../shared/captures, or ESTAB_CAPTURES)';
