"""The commands `up` and `down`, and the state that is kept between them."""

__all__: list[str] = []
