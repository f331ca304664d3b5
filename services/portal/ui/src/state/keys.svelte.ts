import { go, route } from './router.svelte'
import { player } from './player.svelte'
import { isTV, settings } from './settings.svelte'

/** Whether the list of keys is open. */
export const help = $state({ open: false })

/** Handles a key for a screen that has its own meaning for it. True: it did. */
export type KeyHandler = (event: KeyboardEvent) => boolean

const handlers: KeyHandler[] = []

/** Gives a screen, such as a film, the first word on keys. The returned function takes it back. */
export function handleKeys(handler: KeyHandler): () => void {
  handlers.push(handler)
  return () => void handlers.splice(handlers.indexOf(handler), 1)
}

const typing = (target: EventTarget | null) =>
  target instanceof HTMLElement && target.matches('input:not([type=range]), textarea, select, [contenteditable]')

/** Handles the page's keys. */
export function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
  const leaves = isTV() && (event.key === 'ArrowUp' || event.key === 'ArrowDown') // a remote has no other way out of a field
  if (typing(event.target) && !leaves) return
  if (event.key === 'Escape' && document.querySelector('dialog[open]')) return // which closes by itself
  if (handlers.at(-1)?.(event) || arrows(event) || (settings.shortcuts && shortcut(event))) event.preventDefault()
}

function shortcut(event: KeyboardEvent): boolean {
  const on = event.target as HTMLElement
  switch (event.key) {
    case '/':
      if (route.path === '/search') document.querySelector<HTMLInputElement>('input[type=search]')?.focus()
      else go('/search')
      return true
    case '?':
      help.open = !help.open
      return true
    case ' ':
      if (on.matches('button, a, summary, input') || !player.session) return false
      player.toggle()
      return true
    case 'n':
      return (player.next(), true)
    case 'p':
      return (player.previous(), true)
    case 'm':
      return (player.mute(), true)
  }
  return false
}

function arrows(event: KeyboardEvent): boolean {
  const on = event.target as HTMLElement
  const vertical = event.key === 'ArrowUp' || event.key === 'ArrowDown'
  if (!event.key.startsWith('Arrow') || (on.matches('input') && !(isTV() && vertical))) return false
  if (isTV()) return toNeighbour(event.key)
  if (vertical) return toRow(on, event.key === 'ArrowDown' ? 1 : -1)
  if (!settings.shortcuts || !player.session) return false
  const forward = document.dir === 'rtl' ? 'ArrowLeft' : 'ArrowRight'
  player.seek(player.time + (event.key === forward ? 10 : -10))
  return true
}

/** Moves the focus among the rows of a list. */
function toRow(from: HTMLElement, step: number): boolean {
  const row = from.closest('[data-row]')
  if (!row) return false
  const rows = [...(row.parentElement?.querySelectorAll<HTMLElement>(':scope > [data-row]') ?? [])]
  const target = rows[rows.indexOf(row as HTMLElement) + step]?.querySelector<HTMLElement>('a, button')
  target?.focus()
  target?.scrollIntoView({ block: 'nearest' })
  return true
}

const focusable = 'a[href], button:not(:disabled), input:not(:disabled), [tabindex="0"]'

/** Moves the focus to the nearest control in the direction of an arrow, as a remote expects. */
function toNeighbour(key: string): boolean {
  const here = document.activeElement
  const scope = document.querySelector('dialog[open]') ?? document.body
  const all = [...scope.querySelectorAll<HTMLElement>(focusable)].filter((each) => each.checkVisibility())
  if (!here || here === document.body || !scope.contains(here) || here.matches('main')) {
    const first = all.find((each) => each.closest('main, dialog')) ?? all[0]
    return (first?.focus(), true)
  }
  const a = here.getBoundingClientRect()
  const horizontal = key === 'ArrowLeft' || key === 'ArrowRight'
  const sign = key === 'ArrowRight' || key === 'ArrowDown' ? 1 : -1
  let [best, bestCost] = [null as HTMLElement | null, Infinity]
  for (const each of all) {
    const b = each.getBoundingClientRect()
    const [dx, dy] = [b.x + b.width / 2 - a.x - a.width / 2, b.y + b.height / 2 - a.y - a.height / 2]
    const [along, across] = horizontal ? [dx * sign, Math.abs(dy)] : [dy * sign, Math.abs(dx)]
    const cost = along + across * 3
    if (each !== here && along > 4 && cost < bestCost) [best, bestCost] = [each, cost]
  }
  best?.focus()
  best?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  return true
}
