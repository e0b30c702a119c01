"""The store over tables: what each promise of `store.base` means in rows, whatever engine holds them."""
