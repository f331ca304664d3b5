const tolerance = 1 // seconds by which two words about the same song may differ without being a jump
const settling = 500 // ms in which most of such a difference is made up

/**
 * Where something is that plays elsewhere: its last known place, carried on by this page's clock. A new word that
 * differs a little is approached, so that the time on the screen never steps back; one that differs more is a jump.
 */
export class Playhead {
  #key = ''
  #position = 0 // seconds, at #since
  #since = 0 // by performance.now()
  #rate = 0 // seconds a second; 0 while it rests
  #slip = 0 // what was shown too much, at #slipped
  #slipped = 0

  /** Takes a new word: the place of key, which was so at a time by performance.now(). */
  set(key: string, position: number, rate: number, since: number, now = performance.now()): void {
    const shown = this.at(now)
    const same = key === this.#key
    this.#key = key
    this.#position = position
    this.#rate = rate
    this.#since = since
    this.#slip = 0
    const slip = shown - this.at(now)
    this.#slip = same && Math.abs(slip) < tolerance ? slip : 0
    this.#slipped = now
  }

  /** Returns the place now, in seconds. */
  at(now = performance.now()): number {
    const slip = this.#slip * Math.exp((this.#slipped - now) / settling)
    return Math.max(0, this.#position + (this.#rate * (now - this.#since)) / 1000 + slip)
  }
}
