"""Units of measurement: how each is said of one and of many."""

UNITS = {
    "km/h": ("kilometre per hour", "kilometres per hour"),
    "m/s": ("metre per second", "metres per second"),
    "mph": ("mile per hour", "miles per hour"),
    "l/100 km": ("litre per hundred kilometres", "litres per hundred kilometres"),
    "km²": ("square kilometre", "square kilometres"),
    "cm²": ("square centimetre", "square centimetres"),
    "m²": ("square metre", "square metres"),
    "sq ft": ("square foot", "square feet"),
    "cm³": ("cubic centimetre", "cubic centimetres"),
    "m³": ("cubic metre", "cubic metres"),
    "kWh": ("kilowatt hour", "kilowatt hours"),
    "Wh": ("watt hour", "watt hours"),
    "mAh": ("milliampere hour", "milliampere hours"),
    "Mbit/s": ("megabit per second", "megabits per second"),
    "Mbps": ("megabit per second", "megabits per second"),
    "Gbit/s": ("gigabit per second", "gigabits per second"),
    "Gbps": ("gigabit per second", "gigabits per second"),
    "kB/s": ("kilobyte per second", "kilobytes per second"),
    "GB/s": ("gigabyte per second", "gigabytes per second"),
    "MB/s": ("megabyte per second", "megabytes per second"),
    "°C": ("degree Celsius", "degrees Celsius"),
    "°F": ("degree Fahrenheit", "degrees Fahrenheit"),
    "Nm": ("newton metre", "newton metres"),
    "hrs": ("hour", "hours"),
    "lbs": ("pound", "pounds"),
    "hPa": ("hectopascal", "hectopascals"),
    "kPa": ("kilopascal", "kilopascals"),
    "rpm": ("revolution per minute", "revolutions per minute"),
    "bar": ("bar", "bar"),
    "psi": ("P S I", "P S I"),
    "ml": ("millilitre", "millilitres"),
    "cl": ("centilitre", "centilitres"),
}
_METRES = {"k": "kilo", "c": "centi", "m": "milli", "µ": "micro", "μ": "micro", "n": "nano"}
UNITS |= {f"{short}m": (f"{name}metre", f"{name}metres") for short, name in _METRES.items()}
UNITS |= {f"{short}g": (f"{name}gram", f"{name}grams") for short, name in _METRES.items() if short in "kmµμ"}
UNITS |= {f"{short}s": (f"{name}second", f"{name}seconds") for short, name in _METRES.items() if short in "mµμn"}
_MANY = {"k": "kilo", "M": "mega", "G": "giga", "T": "tera"}
UNITS |= {f"{short}B": (f"{name}byte", f"{name}bytes") for short, name in _MANY.items()}
UNITS |= {f"{short}Hz": (f"{name}hertz", f"{name}hertz") for short, name in (_MANY | {"": ""}).items()}
UNITS |= {f"{short}W": (f"{name}watt", f"{name}watts") for short, name in (_MANY | {"": ""}).items()}
UNITS |= {
    "KB": ("kilobyte", "kilobytes"),
    "kcal": ("kilocalorie", "kilocalories"),
    "kJ": ("kilojoule", "kilojoules"),
    "mins": ("minute", "minutes"),
    "min": ("minute", "minutes"),
    "secs": ("second", "seconds"),
    "sec": ("second", "seconds"),
    "hr": ("hour", "hours"),
    "lb": ("pound", "pounds"),
    "oz": ("ounce", "ounces"),
    "ft": ("foot", "feet"),
    "mi": ("mile", "miles"),
    "dB": ("decibel", "decibels"),
    "ha": ("hectare", "hectares"),
    "mA": ("milliampere", "milliamperes"),
    "kV": ("kilovolt", "kilovolts"),
    "V": ("volt", "volts"),
    "h": ("hour", "hours"),
    "s": ("second", "seconds"),
    "l": ("litre", "litres"),
    "L": ("litre", "litres"),
    "m": ("metre", "metres"),
    "g": ("gram", "grams"),
    "°": ("degree", "degrees"),
}
