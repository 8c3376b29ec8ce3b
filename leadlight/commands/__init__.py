"""The commands, a module for each concern. Each reads words, opens the rooms and prints answers."""
