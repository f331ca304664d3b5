/** Something fetched for a screen: nothing yet, there, or failed. What is there stays while a newer one is fetched. */
export class Load<T> {
  data = $state.raw<T | null>(null)
  error = $state.raw<unknown>(null)

  #request: AbortController | undefined

  constructor(readonly fetch: (signal: AbortSignal) => Promise<T>) {}

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
