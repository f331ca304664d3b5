import * as api from '../../api/client'
import type { Arounds, NetworkSettings, Period, Profile } from '../../api/types'
import { t } from '../../i18n/index.svelte'
import { Load } from '../../lib/load.svelte'
import { wordsOf } from '../../lib/words'
import { toast } from '../../state/toasts.svelte'

const undoFor = 10_000 // ms; as long as the line with "Undo" is there

/** What the page about the network knows, and what one can do to it. */
export class NetworkPage {
  around = new Load<Arounds>(api.network.around)
  profiles = new Load<Profile[]>(api.network.profiles)
  settings = new Load<NetworkSettings>(api.network.settings)
  history = new Load<Period[]>(api.network.history)
  scanning = $state(false)

  /** Known networks that one has just forgotten, while that can be undone. */
  #going = $state<Record<string, ReturnType<typeof setTimeout>>>({})

  /** The known networks but those being forgotten. */
  known = $derived((this.profiles.data ?? []).filter(({ id }) => !(id in this.#going)))

  /** Reads the lists again. The known networks come first: where they are refused, all else would be. */
  async refresh(): Promise<void> {
    await this.profiles.refresh()
    if (!this.profiles.data) return
    void this.around.refresh()
    void this.history.refresh()
  }

  /** Does something and says what went wrong, if it did. */
  async try<T>(what: () => Promise<T>): Promise<T | undefined> {
    try {
      return await what()
    } catch (err) {
      const words = wordsOf(err)
      toast([words.message, words.hint || words.detail].filter(Boolean).join('. '))
      return undefined
    }
  }

  async scan(): Promise<void> {
    this.scanning = true
    const found = await this.try(api.network.scan)
    if (found) this.around.data = found
    this.scanning = false
  }

  /** Puts the known networks into an order, at once to the eye. */
  async order(profiles: Profile[]): Promise<void> {
    const before = this.profiles.data
    this.profiles.data = profiles
    const after = await this.try(() => api.network.order(profiles.map(({ id }) => id)))
    this.profiles.data = after ?? before
  }

  /** Forgets a network in ten seconds: nobody has its password any more, so it cannot be brought back. */
  forget(profile: Profile): void {
    this.#going[profile.id] = setTimeout(() => void this.#gone(profile.id), undoFor)
    toast(t('known.forgotten', { name: profile.name || profile.ssid }), {
      label: t('action.undo'),
      run: () => {
        clearTimeout(this.#going[profile.id])
        delete this.#going[profile.id]
      },
    })
  }

  async #gone(id: string): Promise<void> {
    if (!(id in this.#going)) return
    clearTimeout(this.#going[id])
    await this.try(() => api.network.forget(id))
    await this.profiles.run()
    delete this.#going[id]
  }

  /** Carries out what could be undone until now: the page is being left. */
  readonly flush = (): void => {
    for (const id of Object.keys(this.#going)) void this.#gone(id)
  }
}
