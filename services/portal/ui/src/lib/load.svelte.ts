/** Something fetched for a screen: nothing yet, there, or failed. What is there stays while a newer one is fetched. */
export class Load<T> {
  data = $state.raw<T | null>(null)
  error = $state.raw<unknown>(null)

  #request: AbortController | undefined
  #running = false
  #again = false

  constructor(readonly fetch: (signal: AbortSignal) => Promise<T>) {}

  /** Fetches it again because there is news. News that comes meanwhile is fetched after that, once. */
  async refresh(): Promise<void> {
    this.#again = true
    if (this.#running) return
    this.#running = true
    while (this.#again) {
      this.#again = false
      await this.run()
    }
    this.#running = false
  }

  /** Fetches it; an earlier request that is still under way is given up. */
  readonly run = async (): Promise<void> => {
    this.#request?.abort()
    const request = (this.#request = new AbortController())
    try {
      const data = await this.fetch(request.signal)
      if (request.signal.aborted) return
      this.data = data
      this.error = null
    } catch (err) {
      if (!request.signal.aborted) this.error = err
    }
  }
}
