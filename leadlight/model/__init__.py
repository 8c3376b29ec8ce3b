"""The model that serves: a bundle of data files, read, checked and evaluated. Nothing here learns.

``margins``      log-odds and probabilities
``encoder``      rows to vectors, the one way offline and online
``linear``       the additive linear part
``points``       the points part: a site's own card
``trees``        the tree part
``interval``     a probability's Venn-Abers interval
``blended``      the whole: offset + weighted parts, explained column by column
``manifest``     canonical JSON, sizes and hashes
``bundle``       a model's folder, written and read
``verify``       a bundle's first load, in a child process
``certificate``  the gate's signed word on a bundle
"""
