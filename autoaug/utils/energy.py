"""The energy used by the processors, from the RAPL (running average power limit) counters of Intel and AMD on Linux."""

from __future__ import annotations

from pathlib import Path

_ZONES = Path("/sys/class/powercap")
_MICROJOULES_PER_WATT_HOUR = 3.6e9


class EnergyMeter:
    """Measures energy from its creation on, including that of other programs on the machine."""

    def __init__(self, zones: Path = _ZONES) -> None:
        # Only whole packages such as `intel-rapl:0`: they include their parts, such as `intel-rapl:0:1`.
        self._zones = [zone for zone in sorted(zones.glob("*-rapl:*")) if zone.name.count(":") == 1]
        self._before = self._read()

    def watt_hours(self) -> float | None:
        """The energy in watt-hours since the meter was created; None if no counter can be read."""
        if not self._before:
            return None
        used = 0.0
        for zone, now in self._read().items():
            since = now - self._before.get(zone, now)
            used += since if since >= 0 else since + _number(zone / "max_energy_range_uj")  # the counter wrapped
        return used / _MICROJOULES_PER_WATT_HOUR

    def _read(self) -> dict[Path, float]:
        try:
            return {zone: _number(zone / "energy_uj") for zone in self._zones}
        except OSError:  # since 2020, only root may read it
            return {}


def _number(path: Path) -> float:
    return float(path.read_text(encoding="utf-8"))
