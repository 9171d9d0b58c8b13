"""View models: what a page shows, as frozen values that were authorised before they came here.

One module per noun. Words of the service (labels, hints, actions) are English message ids marked with `N_`
and translated by the templates; data (names, numbers) stands as it is to be shown. Instants are aware UTC.
"""
