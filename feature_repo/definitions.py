"""What Feast's own commands see: the objects of the site that the environment names, the demo by default."""

from features.catalogue import load_catalogue
from features.store.definitions import define
from features.store.place import site_folder, state_folder
from leadlight.settings import load_site

site = load_site(site_folder())
definitions = define(site, load_catalogue(site), state_folder())

# Feast collects its objects from a module's attributes, and how many there are is the site's choice.
globals().update({f"{type(each).__name__}_{each.name}": each for each in definitions.objects()})
