"""From files to a batch: datasets, splits, the store, the loader, augmentation, preprocessing."""
