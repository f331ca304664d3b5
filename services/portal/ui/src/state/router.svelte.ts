import { tick } from 'svelte'

const here = () => ({
  path: location.pathname.replace(/\/+$/, '') || '/',
  params: new URLSearchParams(location.search),
  hash: location.hash.slice(1),
})

/** The address, as the screens see it. */
export const route = $state(here())

const places = new Map<string, number>() // scroll positions, by the key of a history entry
let key = 'first'

function read(): void {
  Object.assign(route, here())
}

/** Follows the browser's history and the page's links. The returned function stops it. */
export function startRouter(): () => void {
  history.scrollRestoration = 'manual' // lists need their rows before there is somewhere to scroll to
  key = (history.state as { key?: string } | null)?.key ?? key
  const onPop = (event: PopStateEvent) => {
    const before = route.path
    places.set(key, scrollY)
    key = (event.state as { key?: string } | null)?.key ?? 'first'
    read()
    if (route.path !== before) void restore(places.get(key) ?? 0)
  }
  addEventListener('popstate', onPop)
  document.addEventListener('click', onClick)
  return () => {
    removeEventListener('popstate', onPop)
    document.removeEventListener('click', onClick)
  }
}

/** Goes to an address of this page. With replace it takes the place of the present one in the history. */
export function go(to: string, { replace = false } = {}): void {
  const before = route.path
  places.set(key, scrollY)
  if (replace) {
    history.replaceState({ key }, '', to)
  } else {
    key = crypto.getRandomValues(new Uint32Array(2)).join('')
    history.pushState({ key, inside: true }, '', to)
  }
  read()
  if (route.path !== before) void restore(0)
}

/** Goes back, or to a fallback where the person came straight here. */
export function back(fallback: string): void {
  if ((history.state as { inside?: boolean } | null)?.inside) history.back()
  else go(fallback, { replace: true })
}

/** Scrolls once the screen is there, and moves the focus to its heading as a page load would. */
async function restore(top: number): Promise<void> {
  await tick()
  const main = document.querySelector<HTMLElement>('main')
  if (main && !main.contains(document.activeElement)) main.focus({ preventScroll: true })
  scrollTo(0, top)
  // A list from the server grows a moment later.
  for (let frame = 0; frame < 30 && top > 0 && Math.abs(scrollY - top) > 1; frame++) {
    await new Promise(requestAnimationFrame)
    scrollTo(0, top)
  }
}

function onClick(event: MouseEvent): void {
  if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return
  const link = (event.target as Element).closest('a')
  if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return
  if (/^\/(api|media)\//.test(link.pathname)) return
  event.preventDefault()
  go(link.pathname + link.search + link.hash)
}
