/** A line that passes by at the bottom, with at most one thing to do. */
export interface Toast {
  id: number
  text: string
  action?: { label: string; run: () => void }
}

export const toasts = $state<Toast[]>([])

let last = 0

/** Says something in passing. What can be undone stays longer. */
export function toast(text: string, action?: Toast['action']): void {
  const id = ++last
  toasts.push({ id, text, action })
  if (toasts.length > 3) toasts.shift()
  setTimeout(() => dismiss(id), action ? 10_000 : 5_000)
}

export function dismiss(id: number): void {
  const i = toasts.findIndex((each) => each.id === id)
  if (i >= 0) toasts.splice(i, 1)
}
