"""Use cases of reciprocity, one module for each paper that goes between cooperatives."""
