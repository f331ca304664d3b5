// Runs before the first paint, so that the page does not flash in the wrong colours.
// The names are those of src/state/settings.svelte.ts.
var theme
try {
  theme = JSON.parse(localStorage.getItem('manofwar.settings') || '{}').theme
} catch {
  // Storage is off: the system's colours it is.
}
if (theme !== 'dark' && theme !== 'light')
  theme = matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark'
document.documentElement.dataset.theme = theme
